-- AlterTable
ALTER TABLE "Build" ADD COLUMN     "requestId" TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE "Build" ALTER COLUMN "requestId" DROP DEFAULT;

-- AlterTable
ALTER TABLE "Container" ADD COLUMN     "requestId" TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE "Container" ALTER COLUMN "requestId" DROP DEFAULT;
