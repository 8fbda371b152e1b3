-- AlterTable
ALTER TABLE "Node" ADD COLUMN     "life" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "Container" ADD COLUMN     "restartAt" TIMESTAMPTZ(6),
ADD COLUMN     "restartCount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "signalledRun" INTEGER NOT NULL DEFAULT 0;

-- Those whose next run somebody has to begin.
DROP INDEX "Container_to_restart";
UPDATE "Container" SET "restartAt" = now()
  WHERE "restartPolicy" <> 'no' AND "desired" = 'running' AND "state" IN ('exited', 'failed');
CREATE INDEX "Container_to_restart" ON "Container"("restartAt") WHERE "restartAt" IS NOT NULL;
