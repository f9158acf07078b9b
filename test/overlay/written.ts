// Configurations as text, and what is wrong with them.
import { ConfigurationError, readConfiguration } from '../../src/overlay/configuration-file.ts';
import type { UsedSubnet } from '../../src/overlay/configuration-rules.ts';

/** The messages for a text; none when it is right. */
export function problemsOf(text: string, used: readonly UsedSubnet[] = []): readonly string[] {
	try {
		readConfiguration(text, 'o.yaml', used);
		return [];
	} catch (error) {
		if (error instanceof ConfigurationError) return error.problems;
		throw error;
	}
}

/** A configuration in which nothing is wrong, and one line of it in another way. */
const lines = {
	vtep_subnet: 'vtep_subnet: 44.128.0.0/20',
	vtep_mac_oui: 'vtep_mac_oui: 70:B3:D5:00:00:00',
	overlays: 'overlays:',
	name: '  - name: dcos',
	subnet: '    subnet: 9.0.0.0/8',
	prefix: '    prefix: 26',
	more: '  - { name: other, subnet: 10.0.0.0/8, prefix: 24 }',
};
export function written(change: Partial<Record<keyof typeof lines, string>>): string {
	const all = Object.entries({ ...lines, ...change }).filter(([, line]) => line !== '');
	return ['dcos_overlay_network:', ...all.map(([, line]) => `  ${line}`), ''].join('\n');
}
