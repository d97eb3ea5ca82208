-- What the live page looks up: the newest entries of the ledger, and those that failed.
CREATE INDEX image_updated ON tintype.image (updated_at);
CREATE INDEX image_failed ON tintype.image (source, updated_at) WHERE state = 'failed';
