-- AlterTable
ALTER TABLE "Build" ADD COLUMN     "labels" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "noCache" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "sealedSecrets" TEXT;

-- whose turn it is
DROP INDEX "Build_unfinished";
CREATE INDEX "Build_unfinished" ON "Build"("organizationId", "id") WHERE "state" IN ('queued', 'running');
CREATE INDEX "Build_organizationId_startedAt_idx" ON "Build"("organizationId", "startedAt");
