-- Of these types those whose values the server hashes by an OID, with the type for which it does: enums and names of
-- objects (regclass and its like), alone or within an array, a domain, a range or a composite type.
WITH RECURSIVE part(key, type) AS (
    SELECT DISTINCT key::oid, key::oid FROM unnest(%s::bigint[]) AS keys(key)
     UNION
    SELECT part.key, element.type
      FROM part JOIN pg_type t ON t.oid = part.type
     CROSS JOIN LATERAL (
              SELECT t.typelem WHERE t.typelem <> 0
               UNION SELECT t.typbasetype WHERE t.typbasetype <> 0
               UNION SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid
               UNION SELECT atttypid FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
           ) AS element(type)
)
SELECT part.key::bigint AS key, min(part.type::regtype::text) AS type
  FROM part JOIN pg_type t ON t.oid = part.type
 WHERE t.typtype = 'e' OR (t.typnamespace = 'pg_catalog'::regnamespace AND t.typname LIKE 'reg%%')
 GROUP BY 1
