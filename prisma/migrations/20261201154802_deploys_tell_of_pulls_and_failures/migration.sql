-- AlterTable
ALTER TABLE "Container" ADD COLUMN     "pulledAt" TIMESTAMPTZ(6);

-- AlterTable
ALTER TABLE "Deploy" ADD COLUMN     "failure" JSONB;
