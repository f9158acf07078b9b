// Going on after a failure, and telling of all of them in the end.

export interface Attempts {
	/** Does a step; returns whether it succeeded. */
	attempt(step: () => void | Promise<void>): Promise<boolean>;
	/** Throws the one failure, or an AggregateError of several; returns when there was none. */
	report(): void;
}

/** Collects the failures of what is tried. `what` names the whole in the message. */
export function attempts(what: string): Attempts {
	const failures: unknown[] = [];
	return {
		async attempt(step) {
			try {
				await step();
				return true;
			} catch (error) {
				failures.push(error);
				return false;
			}
		},
		report() {
			if (failures.length === 1) throw failures[0];
			if (failures.length > 1) throw new AggregateError(failures, what);
		},
	};
}
