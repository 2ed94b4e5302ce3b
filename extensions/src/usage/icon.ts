import { LabIcon } from '@jupyterlab/ui-components';

/** A gauge. */
export const usageIcon = new LabIcon({
  name: 'fabric-lab:usage',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M12 4C6.500 4 2 8.500 2 14c0 2.100.7 4.100 1.800 5.700l1.700-1.100C4.600 17.300 4 15.700 4 14c0-4.400 3.600-8 8-8s8 3.600 8 8c0 1.700-.6 3.300-1.500 4.600l1.700 1.100C21.300 18.100 22 16.100 22 14c0-5.500-4.500-10-10-10z"/>
    <path d="M17.200 8.800 10.700 12.800a2 2 0 1 0 2.500 2.500z"/>
  </g>
</svg>`
});
