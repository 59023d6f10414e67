with page as (select id from t where id > coalesce(:cursor::bigint, 0) order by id limit :limit),
done as (update t set a = 1 from page where t.id = page.id)
select max(id) as cursor, count(*) as rows from page;
