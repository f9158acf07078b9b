// Configurations of the bridge as tests want them.
import { type BridgeConfiguration, readBridgeConfiguration } from '../../src/bridge/configuration.ts';
import type { Undo } from '../../src/bridge/undo.ts';
import type { Request } from '../../src/cni/request.ts';
import { requestOf } from '../cni/requests.ts';

/** What `keys` mean beside the minimal ones. */
export function readKeys(keys: Record<string, unknown>, rest: Partial<Request> = {}): BridgeConfiguration {
	return readBridgeConfiguration(requestOf(keys, rest));
}

/** Collects what would be taken back, by name, and does it on demand. */
export function undoing(): { readonly undo: Undo; readonly names: string[]; run(): Promise<void> } {
	const names: string[] = [];
	const steps: (() => void | Promise<void>)[] = [];
	return {
		names,
		undo(what, step) {
			names.push(what);
			steps.push(step);
		},
		async run() {
			for (const step of steps.toReversed()) await step();
		},
	};
}
