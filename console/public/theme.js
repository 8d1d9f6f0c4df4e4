// Before anything is painted: whoever chose dark must not be dazzled by a white page first.
(function () {
  try {
    var theme = localStorage.getItem('lamppost-theme');
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  } catch (_) {
    // No storage, no choice: the system's preference holds.
  }
})();
