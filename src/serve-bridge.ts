// What a call of the main plugin needs, in one piece.

import { bridgePlugin } from './bridge/plugin.ts';
import { serve } from './serve.ts';

/** Returns the exit status. */
export function serveBridge(): Promise<number> {
	return serve(bridgePlugin);
}
