-- DropForeignKey
ALTER TABLE "BlobUpload" DROP CONSTRAINT "BlobUpload_repositoryId_fkey";

-- DropTable
DROP TABLE "BlobUpload";
