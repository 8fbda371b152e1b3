-- AlterTable
ALTER TABLE "Usage" ADD COLUMN     "servedBytes" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "storedByteSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "StoredUntil" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "StoredUntil_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Unlinked" (
    "id" BIGSERIAL NOT NULL,
    "projectId" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "linkedAt" TIMESTAMPTZ(6) NOT NULL,
    "unlinkedAt" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "Unlinked_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "EdgeMeter" (
    "edgeId" TEXT NOT NULL,
    "serviceId" TEXT NOT NULL,
    "bytes" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "EdgeMeter_pkey" PRIMARY KEY ("edgeId","serviceId")
);

-- AddForeignKey
ALTER TABLE "Unlinked" ADD CONSTRAINT "Unlinked_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EdgeMeter" ADD CONSTRAINT "EdgeMeter_serviceId_fkey" FOREIGN KEY ("serviceId") REFERENCES "Service"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What images hold is counted from now on.
INSERT INTO "StoredUntil" (until) VALUES (now());

-- What a repository had and has no longer stays until it is counted, whoever takes it away.
CREATE FUNCTION blobs_unlinked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "Unlinked" ("projectId", digest, "sizeBytes", "linkedAt", "unlinkedAt")
    SELECT r."projectId", gone.digest, gone."sizeBytes", gone."createdAt",
      greatest(clock_timestamp(), gone."createdAt")
    FROM gone JOIN "Repository" r ON r.id = gone."repositoryId";
  RETURN NULL;
END $$;

CREATE FUNCTION manifests_unlinked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "Unlinked" ("projectId", digest, "sizeBytes", "linkedAt", "unlinkedAt")
    SELECT r."projectId", gone.digest, octet_length(gone.content), gone."createdAt",
      greatest(clock_timestamp(), gone."createdAt")
    FROM gone JOIN "Repository" r ON r.id = gone."repositoryId";
  RETURN NULL;
END $$;

CREATE TRIGGER "RepositoryBlob_unlinked" AFTER DELETE ON "RepositoryBlob"
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION blobs_unlinked();
CREATE TRIGGER "Manifest_unlinked" AFTER DELETE ON "Manifest"
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION manifests_unlinked();
