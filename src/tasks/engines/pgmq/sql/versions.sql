-- Which migrations were made.
select version::text as version from errand.migration
