// A group of rows that are measured together.

import type { Competitor } from './competitor.ts';
import type { Row } from './rows.ts';

export interface Group {
	/** The word of `--only`. */
	readonly name: string;
	readonly title: string;
	/** Throws a BuildError when something fails. */
	readonly measure: (conditions: Conditions) => Promise<Section>;
}

export interface Conditions {
	/** How many times a single call is measured; what takes longer, fewer times. */
	readonly runs: number;
	/** Below it the plugins keep their leases. */
	readonly directory: string;
}

/** What a group yields. */
export interface Section {
	readonly competitors: readonly Competitor[];
	readonly rows: readonly Row[];
}
