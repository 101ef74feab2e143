import { Observable } from './observable.ts';
import { loadTheme, saveTheme, type Theme } from './saved.ts';

/** Light, dark, or as the system is; the same in all tabs from their next load on. */
export const theme = {
  chosen: new Observable<Theme>(loadTheme()),

  choose: (chosen: Theme): void => {
    saveTheme(chosen);
    theme.chosen.set(chosen);
    theme.apply();
  },

  /** Shows what is chosen. */
  apply: (): void => {
    document.documentElement.dataset.theme = theme.chosen.value;
  },
};
