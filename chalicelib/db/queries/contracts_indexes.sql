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
