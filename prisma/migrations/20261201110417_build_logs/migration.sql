-- AlterTable
ALTER TABLE "Build" ADD COLUMN     "logDigest" TEXT;

-- those whose output waits to be archived
CREATE INDEX "Build_to_archive" ON "Build"("finishedAt") WHERE "finishedAt" IS NOT NULL AND "logDigest" IS NULL;
