namespace KestrelAcme.Simulation.Tests;

/// <summary>The kinds of events.</summary>
internal enum WeatherEventKind
{
    /// <summary>The machine's clock steps to so much ahead of the true time; zero corrects it.</summary>
    ClockStep,

    /// <summary>The process is killed and started again.</summary>
    Crash,

    /// <summary>The process is killed in the middle of its next order, and started again.</summary>
    CrashInOrder,

    /// <summary>The process is stopped as a service manager stops it, and started again.</summary>
    Restart,

    /// <summary>The authority moves the windows of many certificates, by so much.</summary>
    WindowsMove,

    /// <summary>The authority revokes one certificate in twenty and says so in its renewal information.</summary>
    RevocationWithAdvice,

    /// <summary>The authority revokes one certificate in twenty; only its list tells.</summary>
    RevocationOnListOnly,
}
