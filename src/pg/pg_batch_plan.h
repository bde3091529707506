/*
 * pg_batch_plan.h - puts batch scans into finished plans.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_BATCH_PLAN_H
#define PG_BATCH_PLAN_H

/* In _PG_init: from now on plans pass by here. */
void watch_plans(void);

#endif
