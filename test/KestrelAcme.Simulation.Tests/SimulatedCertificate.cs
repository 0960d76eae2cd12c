namespace KestrelAcme.Simulation.Tests;

/// <summary>A certificate of the model, with the history of what its renewal information said.</summary>
internal sealed class SimulatedCertificate(
    string id, byte[] serial, string name, DateTimeOffset issuedAt, DateTimeOffset notBefore, DateTimeOffset notAfter)
{
    /// <summary>How long a client is told to wait before it asks again for renewal information.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromHours(6);

    private readonly List<AdvisedWindow> _windows = [Default(issuedAt, notBefore, notAfter)];

    public string Id => id;

    public byte[] Serial => serial;

    public string Name => name;

    public DateTimeOffset IssuedAt => issuedAt;

    public DateTimeOffset NotAfter => notAfter;

    public TimeSpan Lifetime => notAfter - notBefore;

    /// <summary>What was advised, each from when on.</summary>
    public IReadOnlyList<AdvisedWindow> Windows => _windows;

    public AdvisedWindow Window => _windows[^1];

    /// <summary>When the list told of its revocation.</summary>
    public DateTimeOffset? ListedAt { get; set; }

    public DateTimeOffset? ReplacedAt { get; set; }

    /// <summary>
    /// The last moment at which a client renews, whatever is advised: a sixth of the lifetime is left, a quarter under ten days.
    /// </summary>
    public DateTimeOffset Deadline => notAfter - (Lifetime / (Lifetime < TimeSpan.FromDays(10) ? 4 : 6));

    public void Advise(DateTimeOffset from, DateTimeOffset start, DateTimeOffset end) => _windows.Add(new AdvisedWindow(from, start, end));

    private static AdvisedWindow Default(DateTimeOffset issuedAt, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var lifetime = notAfter - notBefore;
        return new AdvisedWindow(issuedAt, notBefore + (lifetime * 2 / 3), notBefore + (lifetime * 2 / 3) + (lifetime * 0.02));
    }
}
