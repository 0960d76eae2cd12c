using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Challenges;

namespace KestrelAcme.Simulation.Tests.OverHttp;

/// <summary>The DNS of the simulation: what answers dns-01, and where the authority looks.</summary>
internal sealed class TxtRecords : IChallengeHandler
{
    private readonly ConcurrentDictionary<string, string> _values = new(StringComparer.Ordinal);

    public string ChallengeType => "dns-01";

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        _values[NameOf(context)] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(context.KeyAuthorization!)));
        return Task.CompletedTask;
    }

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        _values.TryRemove(NameOf(context), out _);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<string>> FindAsync(string name, CancellationToken cancellationToken)
        => Task.FromResult<IReadOnlyList<string>>(_values.TryGetValue(name, out var value) ? [value] : []);

    private static string NameOf(ChallengeContext context) => $"_acme-challenge.{context.Identifier}";
}
