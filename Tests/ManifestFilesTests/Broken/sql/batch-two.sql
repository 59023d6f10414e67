delete from t;
delete from t where id in (select id from t limit 10);
