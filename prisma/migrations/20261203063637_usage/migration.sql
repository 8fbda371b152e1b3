-- CreateTable
CREATE TABLE "RunMeter" (
    "containerId" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "memoryByteSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "cpuSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "memoryBytes" DOUBLE PRECISION,

    CONSTRAINT "RunMeter_pkey" PRIMARY KEY ("containerId","generation")
);

-- CreateTable
CREATE TABLE "Usage" (
    "organizationId" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "hour" TIMESTAMPTZ(0) NOT NULL,
    "cpuSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "memoryByteSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0,

    CONSTRAINT "Usage_pkey" PRIMARY KEY ("projectId","hour")
);

-- CreateIndex
CREATE INDEX "Usage_organizationId_hour_idx" ON "Usage"("organizationId", "hour");

-- AddForeignKey
ALTER TABLE "RunMeter" ADD CONSTRAINT "RunMeter_containerId_generation_fkey" FOREIGN KEY ("containerId", "generation") REFERENCES "Run"("containerId", "generation") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Usage" ADD CONSTRAINT "Usage_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
