-- AlterTable
ALTER TABLE "Organization" ADD COLUMN     "limits" JSONB NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "Project" ADD COLUMN     "limits" JSONB NOT NULL DEFAULT '{}';

-- What is there, which quotas count.
CREATE INDEX "Container_present_idx" ON "Container"("organizationId") WHERE desired <> 'removed';
