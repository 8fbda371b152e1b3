-- AlterTable
ALTER TABLE "AuditRecord" ADD COLUMN     "hash" TEXT,
ADD COLUMN     "position" INTEGER;

-- CreateTable
CREATE TABLE "AuditChain" (
    "organizationId" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "AuditChain_pkey" PRIMARY KEY ("organizationId")
);

-- CreateIndex
CREATE UNIQUE INDEX "AuditRecord_organizationId_position_key" ON "AuditRecord"("organizationId", "position");

-- AddForeignKey
ALTER TABLE "AuditChain" ADD CONSTRAINT "AuditChain_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "Organization"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What is not sealed is found without looking at what is.
CREATE INDEX "AuditRecord_unsealed_idx" ON "AuditRecord"("organizationId", "id") WHERE "position" IS NULL;

-- A record stays as it is: it is sealed, once, and that is all that happens to it.
CREATE FUNCTION audit_record_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD."position" IS NULL AND to_jsonb(OLD) - 'position' - 'hash' = to_jsonb(NEW) - 'position' - 'hash' THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'audit records stay as they are';
END $$;
CREATE TRIGGER "AuditRecord_stays" BEFORE UPDATE OR DELETE ON "AuditRecord"
  FOR EACH ROW EXECUTE FUNCTION audit_record_stays();
CREATE TRIGGER "AuditRecord_stays_whole" BEFORE TRUNCATE ON "AuditRecord"
  FOR EACH STATEMENT EXECUTE FUNCTION audit_record_stays();
