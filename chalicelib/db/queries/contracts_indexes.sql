-- name: organization
-- Rows of an organization in the default order, with all that sums need.
CREATE INDEX ON {schema}.fact (organization, rid) INCLUDE (award_date, amount, contractor, area, category)

-- name: contractor
-- Rows of a contractor.
CREATE INDEX ON {schema}.fact (contractor, rid) INCLUDE (award_date, amount, organization, area, category)

-- name: area
-- Rows of an area by date.
CREATE INDEX ON {schema}.fact (area, award_date DESC, rid) INCLUDE (amount, contractor, organization, category)

-- name: category
-- Rows of a category by date.
CREATE INDEX ON {schema}.fact (category, award_date DESC, rid) INCLUDE (amount, contractor, organization, area)

-- name: amount
-- Rows by amount.
CREATE INDEX ON {schema}.fact (amount, rid)

-- name: award_date
-- Rows by date.
CREATE INDEX ON {schema}.fact (award_date, rid)

-- name: largest_contractors
-- Contractors by their sums, for charts of everything.
CREATE INDEX ON {schema}.contractor (total DESC, id)

-- name: largest_organizations
-- Organizations by their sums.
CREATE INDEX ON {schema}.organization (total DESC, id)

-- name: most_awarded_contractors
-- Contractors by how many awards they have, for lists of everything.
CREATE INDEX ON {schema}.contractor (awards DESC, id)

-- name: most_awarded_organizations
-- Organizations by how many awards they made.
CREATE INDEX ON {schema}.organization (awards DESC, id)

-- name: exact_contractors
-- Finds a contractor by its whole name, which may be too long for an index, and by the id that is made of it.
CREATE INDEX ON {schema}.contractor (md5(name))

-- name: exact_organizations
-- Finds an organization in the same way.
CREATE INDEX ON {schema}.organization (md5(name))

-- name: like_contractors
-- Finds contractors whose names read alike, however long.
CREATE INDEX ON {schema}.contractor USING hash (likeness)

-- name: like_organizations
-- Finds organizations in the same way.
CREATE INDEX ON {schema}.organization USING hash (likeness)
