-- AlterTable, by hand: what is in the outbox stays in it
ALTER TABLE "Outbox" RENAME COLUMN "nodeId" TO "queue";
UPDATE "Outbox" SET "queue" = 'node-' || "queue";

-- CreateTable
CREATE TABLE "Context" (
    "id" TEXT NOT NULL,
    "organizationId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Context_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Build" (
    "id" TEXT NOT NULL,
    "organizationId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "contextId" TEXT NOT NULL,
    "image" TEXT NOT NULL,
    "repository" TEXT NOT NULL,
    "tag" TEXT NOT NULL,
    "dockerfile" TEXT NOT NULL,
    "target" TEXT,
    "args" JSONB NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "reason" TEXT,
    "message" TEXT,
    "digest" TEXT,
    "steps" JSONB NOT NULL DEFAULT '[]',
    "nodeId" TEXT,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "leasedUntil" TIMESTAMPTZ(6),
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(6),
    "finishedAt" TIMESTAMPTZ(6),

    CONSTRAINT "Build_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "BuildOutput" (
    "id" BIGSERIAL NOT NULL,
    "buildId" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "number" INTEGER NOT NULL,
    "step" INTEGER,
    "time" TIMESTAMPTZ(6) NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "BuildOutput_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Context_projectId_id_idx" ON "Context"("projectId", "id");

-- CreateIndex
CREATE INDEX "Build_projectId_id_idx" ON "Build"("projectId", "id");

-- CreateIndex
CREATE INDEX "BuildOutput_buildId_id_idx" ON "BuildOutput"("buildId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "BuildOutput_buildId_attempt_number_key" ON "BuildOutput"("buildId", "attempt", "number");

-- AddForeignKey
ALTER TABLE "Context" ADD CONSTRAINT "Context_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Build" ADD CONSTRAINT "Build_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Build" ADD CONSTRAINT "Build_contextId_fkey" FOREIGN KEY ("contextId") REFERENCES "Context"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Build" ADD CONSTRAINT "Build_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "Node"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "BuildOutput" ADD CONSTRAINT "BuildOutput_buildId_fkey" FOREIGN KEY ("buildId") REFERENCES "Build"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- By hand, since Prisma's schema has no partial indexes: what agents look for.
CREATE INDEX "Build_unfinished" ON "Build"("id") WHERE "state" IN ('queued', 'running');
