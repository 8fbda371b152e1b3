-- AlterTable
ALTER TABLE "Node" ADD COLUMN     "networkRange" TEXT NOT NULL DEFAULT '10.0.0.0/16'; -- until its agent says which
ALTER TABLE "Node" ALTER COLUMN "networkRange" DROP DEFAULT;

-- CreateTable
CREATE TABLE "Subnet" (
    "id" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "nodeId" TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    "lastHost" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "Subnet_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Endpoint" (
    "containerId" TEXT NOT NULL,
    "subnetId" TEXT NOT NULL,
    "host" INTEGER NOT NULL,

    CONSTRAINT "Endpoint_pkey" PRIMARY KEY ("containerId")
);

-- CreateIndex
CREATE UNIQUE INDEX "Subnet_projectId_nodeId_key" ON "Subnet"("projectId", "nodeId");

-- CreateIndex
CREATE UNIQUE INDEX "Subnet_nodeId_index_key" ON "Subnet"("nodeId", "index");

-- CreateIndex
CREATE UNIQUE INDEX "Endpoint_subnetId_host_key" ON "Endpoint"("subnetId", "host");

-- AddForeignKey
ALTER TABLE "Subnet" ADD CONSTRAINT "Subnet_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Subnet" ADD CONSTRAINT "Subnet_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "Node"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Endpoint" ADD CONSTRAINT "Endpoint_containerId_fkey" FOREIGN KEY ("containerId") REFERENCES "Container"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Endpoint" ADD CONSTRAINT "Endpoint_subnetId_fkey" FOREIGN KEY ("subnetId") REFERENCES "Subnet"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- By hand: containers that are there get an address.
INSERT INTO "Subnet" ("id", "projectId", "nodeId", "index")
  SELECT 'sub_' || right("projectId", 26), "projectId", "nodeId", row_number() OVER (PARTITION BY "nodeId") - 1
  FROM (SELECT DISTINCT "projectId", "nodeId" FROM "Container" WHERE "state" <> 'removed') AS used;
INSERT INTO "Endpoint" ("containerId", "subnetId", "host")
  SELECT c."id", s."id", row_number() OVER (PARTITION BY s."id") + 1
  FROM "Container" c JOIN "Subnet" s USING ("projectId", "nodeId") WHERE c."state" <> 'removed';
UPDATE "Subnet" s SET "lastHost" = (SELECT max("host") FROM "Endpoint" WHERE "subnetId" = s."id");
