-- CreateTable
CREATE TABLE "BlobUpload" (
    "id" TEXT NOT NULL,
    "repositoryId" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "updatedAt" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "BlobUpload_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "BlobUpload_repositoryId_idx" ON "BlobUpload"("repositoryId");

-- CreateIndex
CREATE INDEX "Repository_organizationId_idx" ON "Repository"("organizationId");

-- AddForeignKey
ALTER TABLE "BlobUpload" ADD CONSTRAINT "BlobUpload_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "Repository"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
