import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Delivery } from './delivery.ts';
import { createDelivery } from './real-delivery.ts';

/** Delivers with what the installed package brings along. `typeCheck`: false where no compiler is installed. */
export function installedDelivery(packageFolder: string, { typeCheck = true }: { typeCheck?: boolean } = {}): Delivery {
  const { version } = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  return createDelivery({
    typeCheck,
    assets: {
      version,
      bundle: path.join(packageFolder, 'dist/controller'),
      proxy: path.join(packageFolder, 'images/proxy'),
      git: path.join(packageFolder, 'images/git'),
      package: packageFolder,
    },
  });
}
