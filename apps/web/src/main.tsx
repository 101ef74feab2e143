import '@fontsource-variable/inter/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/sign-in.css';
import './styles/layout.css';
import './styles/sidebar.css';
import './styles/room.css';
import './styles/timeline.css';
import './styles/composer.css';
import './styles/details.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Session } from './model/session.ts';
import { theme } from './model/theme.ts';
import { App } from './ui/app.tsx';

const session = new Session(new URL('/', location.href));
theme.apply();
void session.resume();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
