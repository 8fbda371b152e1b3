-- CreateTable
CREATE TABLE "Meter" (
    "subject" TEXT NOT NULL,
    "nodeId" TEXT NOT NULL,
    "organizationId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "memoryByteSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "cpuSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "memoryBytes" DOUBLE PRECISION,

    CONSTRAINT "Meter_pkey" PRIMARY KEY ("subject")
);

-- AddForeignKey
ALTER TABLE "Meter" ADD CONSTRAINT "Meter_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What runs while this is done goes on from where it was counted.
INSERT INTO "Meter" (subject, "nodeId", "organizationId", "projectId",
  since, "memoryByteSeconds", at, "cpuSeconds", "memoryBytes")
SELECT 'run/' || c."engineId" || '/' || m.generation, c."nodeId", c."organizationId", c."projectId",
  m.since, m."memoryByteSeconds", m.at, m."cpuSeconds", m."memoryBytes"
FROM "RunMeter" m JOIN "Container" c ON c.id = m."containerId";

-- DropTable
DROP TABLE "RunMeter";
