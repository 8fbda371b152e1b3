-- Builds that are not over, which take turns and which quotas count.
CREATE INDEX "Build_under_way_idx" ON "Build"("organizationId") WHERE state IN ('queued', 'running');
