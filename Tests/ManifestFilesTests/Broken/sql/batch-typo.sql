with page as (select 1) select max(id) as cursor, count(*) as rows from t where id > :curser limit :limit;
