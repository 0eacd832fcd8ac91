import Glibc

/// The whole screen of a terminal, given back as it was.
struct TerminalScreen {
    private let before: termios?

    /// Takes the screen: another page of it, no cursor, keys without Enter and unseen.
    init() {
        var settings = termios()
        if isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 {
            before = settings
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        } else {
            before = nil
        }
        Output.text("\u{1B}[?1049h\u{1B}[?25l")
    }

    /// Gives the screen back.
    func restore() {
        Output.text("\u{1B}[?25h\u{1B}[?1049l")
        if var before { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
    }

    /// Replaces what is shown, line by line, so that nothing flickers.
    func draw(_ lines: [String]) {
        Output.text("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// Waits for so long, or until q is pressed, a signal comes or the terminal is gone; true where watching is over.
    func waitForQuit(milliseconds: Int32) -> Bool {
        let deadline = MonotonicTime.now + UInt64(milliseconds) * 1_000_000
        while true {
            let now = MonotonicTime.now
            guard now < deadline else { return false }
            let left = Int32(clamping: (deadline - now + 999_999) / 1_000_000)
            guard before != nil else {
                _ = poll(nil, 0, left)
                return Interruption.signalReceived != nil
            }
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, left)
            if Interruption.signalReceived != nil { return true }
            // Any signal else is a new size of the window: draw anew at once.
            if ready < 0 { return false }
            if ready > 0 {
                var key: UInt8 = 0
                guard read(STDIN_FILENO, &key, 1) == 1 else { return true }
                if key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") || key == 3 { return true }
            }
        }
    }

    /// The terminal's size, 80 by 24 where it does not say.
    static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
