import { render } from 'preact';

render(<p>The dashboard is on its way.</p>, document.getElementById('app')!);
