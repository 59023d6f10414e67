UPDATE users SET name_key = NULL;
