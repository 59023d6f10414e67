SELECT count(*) = 0 FROM findings WHERE state IS NULL;
