using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>
/// Stores immutable resources by ID. A change is a pure function from the old to the new value and runs under the table's lock. If there
/// are too many resources, the oldest are dropped. Thread-safe.
/// </summary>
internal sealed class ResourceTable<T>(int capacity = 500_000)
    where T : class
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, T> _byId = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public void Add(string id, T value)
    {
        lock (_gate)
        {
            while (_order.Count >= capacity)
            {
                _byId.Remove(_order.Dequeue());
            }

            _byId.Add(id, value);
            _order.Enqueue(id);
        }
    }

    public bool TryGet(string id, [NotNullWhen(true)] out T? value)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out value);
        }
    }

    /// <summary>Applies <paramref name="change"/> and returns its result; null if there is no such resource.</summary>
    public T? Update(string id, Func<T, T> change)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out var value) ? _byId[id] = change(value) : null;
        }
    }

    public IReadOnlyList<T> Snapshot()
    {
        lock (_gate)
        {
            return [.. _byId.Values];
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _byId.Clear();
            _order.Clear();
        }
    }
}

/// <summary>The methods and signers that a resource allows.</summary>
internal static class ResourceRules
{
    public static RequestSigner Signer(ResourceKind resource) => resource switch
    {
        ResourceKind.Directory or ResourceKind.NewNonce or ResourceKind.RenewalInformation
            or ResourceKind.RevocationList or ResourceKind.IssuerCertificate => RequestSigner.None,
        ResourceKind.NewAccount => RequestSigner.Key,
        ResourceKind.RevokeCertificate => RequestSigner.KeyOrAccount,
        _ => RequestSigner.Account,
    };

    /// <summary>Whether the resource is a file that any client may fetch, not only ACME clients.</summary>
    public static bool IsFile(ResourceKind resource) => resource is ResourceKind.RevocationList or ResourceKind.IssuerCertificate;

    public static bool Allows(ResourceKind resource, string method) =>
        Signer(resource) == RequestSigner.None ? method is "GET" or "HEAD" : method == "POST";

    public static string AllowedMethods(ResourceKind resource) => Signer(resource) == RequestSigner.None ? "GET, HEAD" : "POST";
}

/// <summary>Creates random, meaningless IDs: clients must treat every URL as opaque.</summary>
internal static class ResourceId
{
    public static string Create() => Base64UrlText.Encode(RandomNumberGenerator.GetBytes(12));
}
