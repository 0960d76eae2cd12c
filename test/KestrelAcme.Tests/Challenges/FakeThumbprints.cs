using KestrelAcme.Challenges;

namespace KestrelAcme.Tests.Challenges;

/// <summary>One account, which is known or has to be loaded first.</summary>
internal sealed class FakeThumbprints(string? thumbprint = FakeThumbprints.Ours) : IAccountThumbprints
{
    public const string Ours = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

    public static readonly Uri Directory = new("https://ca.test/dir");

    public string? Thumbprint { get; set; } = thumbprint;

    public string? Find(Uri directoryUrl) => directoryUrl == Directory ? Thumbprint : null;

    public ValueTask<string?> LoadAsync(Uri? directoryUrl, Func<string, bool> suits, CancellationToken cancellationToken)
        => new(directoryUrl is not null ? Find(directoryUrl) : Thumbprint is { } held && suits(held) ? held : null);

    /// <summary>A challenge as the instance that ordered stores it, with itself as the owner.</summary>
    public static string Record(string token) => $"{Challenge(token).Encode()}\n0123.0123456789abcdef. 2026-11-21T11:00:00.0000000+00:00";

    public static SharedChallenge Challenge(string token, string type = "http-01", string name = "app.test") => new()
    {
        Type = type,
        IdentifierType = "dns",
        Identifier = name,
        Token = token,
        DirectoryUrl = Directory,
        KeyHint = SharedChallenge.HintOf(Ours),
    };
}
