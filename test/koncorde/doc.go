// Package koncorde compares package filter with npm koncorde: random filters
// and documents are given to both, and but for the differences that FILTERS.md
// names, the answers must be the same.
package koncorde
