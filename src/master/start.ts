// What a start does before anything is served: it reads, compares, and refuses with all its reasons.

import { randomBytes } from 'node:crypto';
import { ConfigurationError } from '../overlay/configuration-file.ts';
import { followPlan, planReconciliation } from '../overlay/reconciliation.ts';
import { ListenError } from './listen.ts';
import { log } from './log.ts';
import { type MasterOptions, OptionError } from './master-options.ts';
import { type ObservedStore, observeStore } from './observed-store.ts';
import { readConfigurationFile } from './read-configuration.ts';
import { openRegistry, type Registry } from './registry.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { StoreError } from './store.ts';
import { CredentialError } from './tokens.ts';

/** The state and the configuration disagree in a way that cannot be followed; the message has two lines for each matter. */
class DisagreementError extends Error {
	override readonly name = 'DisagreementError';
	readonly code = 'disagreement';
}

/** EX_CONFIG of sysexits.h: to start again, without having changed something, is of no use. */
const NOT_WORTH_A_RESTART = 78;

/** The exit status for what a start has thrown; undefined for a defect. */
export function exitStatusOf(error: unknown): number | undefined {
	if (error instanceof StoreError) return error.code === 'corrupt' ? NOT_WORTH_A_RESTART : 1;
	if (error instanceof ListenError) return 1;
	const isRefusal = [ConfigurationError, CredentialError, DisagreementError, OptionError].some(
		(kind) => error instanceof kind,
	);
	return isRefusal ? NOT_WORTH_A_RESTART : undefined;
}

export interface Opened {
	readonly registry: Registry;
	readonly store: ObservedStore;
	/** Tells this run of the master from others. */
	readonly run: string;
}

/** Opens the state and makes it what the configuration says. Throws ConfigurationError, StoreError or DisagreementError. */
export async function openState(options: MasterOptions): Promise<Opened> {
	const { configuration: path, state, force, besideHost } = options;
	const configuration = readConfigurationFile(path, { besideHost });
	const opened = openSqliteStore(state);
	const store = observeStore(opened.store);
	try {
		if (opened.isNew) log('warn', 'state created', { state });
		const run = randomBytes(5).toString('hex');
		const registry = await openRegistry(store, run);
		const plan = await registry.change((draft) => {
			const made = planReconciliation(draft.state, configuration, force);
			if (made.refusals.length > 0) {
				const lines = made.refusals.map(({ wrong, advice }) => `${wrong}:\n  ${advice}`);
				throw new DisagreementError(
					`starting with "${path}": the state "${state}" is in the way\n${lines.join('\n')}`,
				);
			}
			followPlan(draft, made, Date.now());
			return made;
		});
		for (const { text } of plan.actions) log('info', 'state reconciled', { what: text });
		for (const { name, text } of plan.leftOut) log('warn', 'network left out', { network: name, what: text });
		return { registry, store, run };
	} catch (error) {
		await store.close();
		throw error;
	}
}
