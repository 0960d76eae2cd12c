using System.Collections.Concurrent;
using KestrelAcme.Azure.Tests.Storage.KeyVault;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>
/// A stub of Key Vault, with its index in Azurite. The vault has HTTPS, whose root the instances trust, and the documented limit of new
/// secrets: 300 in ten seconds.
/// </summary>
internal sealed class AzureKeyVaultStore : SharedStore
{
    private const int MaxNewSecrets = 300;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly LoopbackCertificate _certificate = LoopbackCertificate.Create();
    private readonly TemporaryFolder _folder = new();
    private readonly KeyVaultStub _stub = new(Token);
    private readonly Lock _gate = new();
    private readonly Queue<long> _latest = new();
    private int _newSecrets;
    private int _most;
    private int _throttled;
    private int _others;
    private volatile bool _isAway;
    private SharedStore? _index;
    private StubApi? _api;

    private static string Token { get; } = Guid.NewGuid().ToString("N");

    public override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["STORE"] = "azure-key-vault",
        ["STORE_ADDRESS"] = _index!.Settings["STORE_ADDRESS"],
        ["VAULT_URL"] = _api!.Url.ToString(),
        ["VAULT_TOKEN"] = Token,
        ["SSL_CERT_FILE"] = _folder.Combine("root.pem"),
    };

    public static async Task<SharedStore> StartAsync()
    {
        var store = new AzureKeyVaultStore();
        try
        {
            store._folder.Write("root.pem", store._certificate.RootPem);
            store._stub.Refuse = store.Refuse;
            store._index = await AzureBlobStore.StartAsync();
            store._api = await StubApi.StartAsync(
                store._stub.Map, TestContext.Current.CancellationToken, store._certificate.Server);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    public override Task BreakAsync()
    {
        _isAway = true;
        return _index!.BreakAsync();
    }

    public override Task RestoreAsync()
    {
        _isAway = false;
        return _index!.RestoreAsync();
    }

    public override string DescribeLoad()
    {
        lock (_gate)
        {
            return $"the vault: {_newSecrets} new secrets, at most {_most} in ten seconds, {_throttled} throttled; "
                + $"{_others} other requests";
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_api is not null)
        {
            await _api.DisposeAsync();
        }

        if (_index is not null)
        {
            await _index.DisposeAsync();
        }

        _certificate.Dispose();
        _folder.Dispose();
    }

    private (int Status, string Code, string? Inner, string? RetryAfter)? Refuse(string request)
        => _isAway ? (503, "ServiceUnavailable", null, null)
            : TakePlace(request) ? null
            : (429, "Throttled", null, "1");

    private bool TakePlace(string request)
    {
        lock (_gate)
        {
            if (!request.StartsWith("PUT ", StringComparison.Ordinal))
            {
                _others++;
                return true;
            }

            while (_latest.TryPeek(out var oldest) && TimeProvider.System.GetElapsedTime(oldest) >= Window)
            {
                _latest.Dequeue();
            }

            if (_latest.Count >= MaxNewSecrets)
            {
                _throttled++;
                return false;
            }

            _latest.Enqueue(TimeProvider.System.GetTimestamp());
            _newSecrets++;
            _most = Math.Max(_most, _latest.Count);
            return true;
        }
    }
}
