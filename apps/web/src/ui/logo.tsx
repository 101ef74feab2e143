import icon from '../icon.svg';

export function Logo() {
  return <img className="logo" src={icon} alt="" width="48" height="48" />;
}
