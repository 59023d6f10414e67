SELECT count(*) = count(DISTINCT lower(email)) AND count(*) > 0 FROM users
