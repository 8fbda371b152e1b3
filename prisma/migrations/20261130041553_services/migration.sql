-- AlterTable
ALTER TABLE "Container" ADD COLUMN     "deployId" TEXT,
ADD COLUMN     "readyAt" TIMESTAMPTZ(6),
ADD COLUMN     "restartPolicy" TEXT NOT NULL DEFAULT 'no',
ADD COLUMN     "serviceId" TEXT,
ADD COLUMN     "unready" TEXT;

-- AlterTable
ALTER TABLE "Node" ADD COLUMN     "lastIndex" INTEGER NOT NULL DEFAULT -1;

-- CreateTable
CREATE TABLE "Service" (
    "id" TEXT NOT NULL,
    "organizationId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "servingDeployId" TEXT,
    "routeVersion" BIGINT,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deletedAt" TIMESTAMPTZ(6),

    CONSTRAINT "Service_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Revision" (
    "id" TEXT NOT NULL,
    "serviceId" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "template" JSONB NOT NULL,
    "repository" TEXT NOT NULL,
    "imageDigest" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Revision_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Deploy" (
    "id" TEXT NOT NULL,
    "serviceId" TEXT NOT NULL,
    "revisionId" TEXT NOT NULL,
    "requestId" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "reason" TEXT,
    "message" TEXT,
    "phases" JSONB NOT NULL DEFAULT '[]',
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(6),
    "finishedAt" TIMESTAMPTZ(6),

    CONSTRAINT "Deploy_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Service_label_key" ON "Service"("label");

-- CreateIndex
CREATE UNIQUE INDEX "Service_servingDeployId_key" ON "Service"("servingDeployId");

-- CreateIndex
CREATE UNIQUE INDEX "Service_routeVersion_key" ON "Service"("routeVersion");

-- CreateIndex
CREATE INDEX "Service_projectId_id_idx" ON "Service"("projectId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Revision_serviceId_number_key" ON "Revision"("serviceId", "number");

-- CreateIndex
CREATE INDEX "Deploy_serviceId_id_idx" ON "Deploy"("serviceId", "id");

-- CreateIndex
CREATE INDEX "Container_serviceId_idx" ON "Container"("serviceId");

-- CreateIndex
CREATE INDEX "Container_deployId_idx" ON "Container"("deployId");

-- AddForeignKey
ALTER TABLE "Container" ADD CONSTRAINT "Container_serviceId_fkey" FOREIGN KEY ("serviceId") REFERENCES "Service"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Container" ADD CONSTRAINT "Container_deployId_fkey" FOREIGN KEY ("deployId") REFERENCES "Deploy"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Service" ADD CONSTRAINT "Service_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Service" ADD CONSTRAINT "Service_servingDeployId_fkey" FOREIGN KEY ("servingDeployId") REFERENCES "Deploy"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Revision" ADD CONSTRAINT "Revision_serviceId_fkey" FOREIGN KEY ("serviceId") REFERENCES "Service"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Deploy" ADD CONSTRAINT "Deploy_serviceId_fkey" FOREIGN KEY ("serviceId") REFERENCES "Service"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Deploy" ADD CONSTRAINT "Deploy_revisionId_fkey" FOREIGN KEY ("revisionId") REFERENCES "Revision"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A deleted service's name is free.
CREATE UNIQUE INDEX "Service_name_of_project" ON "Service"("projectId", "name") WHERE "deletedAt" IS NULL;

-- Those that somebody has to look after.
CREATE INDEX "Deploy_unfinished" ON "Deploy"("id") WHERE "state" IN ('queued', 'running');
CREATE INDEX "Container_to_restart" ON "Container"("id") WHERE "restartPolicy" = 'always' AND "desired" = 'running' AND "state" IN ('exited', 'failed');
