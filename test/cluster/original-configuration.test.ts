// Configurations with which the original does not start.
import { readFileSync, writeFileSync } from 'node:fs';
import ava from 'ava';
import { stringify } from 'yaml';
import { executable } from '../helpers/cni.ts';
import { run } from '../helpers/command.ts';
import { createPlace, failingMaster } from '../helpers/master.ts';

// one master at a time
const test = ava.serial;

for (const name of ['host', 'bridge', 'default', 'none']) {
	test(`a master does not start with a network of the reserved name "${name}", and says where it is`, async (t) => {
		const place = createPlace(t);
		writeFileSync(
			place.configuration,
			`dcos_overlay_network:
  vtep_subnet: 44.128.0.0/16
  vtep_subnet6: fd03::/64
  vtep_mac_oui: 70:B3:D5:00:00:00
  overlays:
    - name: ${name}
      subnet: 192.168.0.0/16
      prefix: 24
`,
		);
		t.deepEqual(await failingMaster(place), [
			78,
			[
				`mesos-overlay: /overlay.yaml:6:13: dcos_overlay_network.overlays[0].name: "${name}" is reserved; ` +
					'choose another name than host, bridge, default, none',
			],
		]);
	});
}

test('a default network that is none of the networks is refused, by the check and by the master', async (t) => {
	const place = createPlace(t);
	const written: unknown = JSON.parse(readFileSync(place.configuration, 'utf8'));
	const configure = (name: string) =>
		writeFileSync(place.configuration, `dcos_overlay_network_default_name: ${name}\n${stringify(written)}`);
	const check = () => run([executable, 'config', 'check', place.configuration, '--ignore-host-networks']);
	configure('dcos-1');
	t.is(check().status, 0);
	configure('default_overlay');
	const message =
		'mesos-overlay: /overlay.yaml:1:36: dcos_overlay_network_default_name: "default_overlay" is no network of this file; ' +
		'write the name of one: dcos, dcos-1';
	const { status, stderr } = check();
	t.deepEqual([status, stderr.replace(place.directory, '')], [1, `${message}\n`]);
	t.deepEqual(await failingMaster(place), [78, [message]]);
});
