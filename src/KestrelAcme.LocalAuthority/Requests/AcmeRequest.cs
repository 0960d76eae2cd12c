using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>A request whose method, signature, URL and nonce have been checked.</summary>
internal sealed record AcmeRequest(string Method, Route Route, ResourceUrls Urls)
{
    private static readonly byte[] NoPayload = [];

    /// <summary>The requested URL, as the client wrote it.</summary>
    public required string Url { get; init; }

    /// <summary>The account that signed; null if a key signed, or the request is not signed.</summary>
    public Account? Account { get; init; }

    /// <summary>The key that signed; null if the request is not signed.</summary>
    public AccountKey? Key { get; init; }

    public byte[] Payload { get; init; } = NoPayload;

    public bool IsPostAsGet => Payload.Length == 0;

    /// <summary>The account that signed, for resources that require one.</summary>
    public Account Signer => Account ?? throw Problem.Unauthorized("An account must sign this request.").ToException();

    public void RequirePostAsGet()
    {
        if (!IsPostAsGet)
        {
            throw Problem.Malformed("This resource is read with POST-as-GET: the payload must be empty.").ToException();
        }
    }

    public T Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Payload, type) ?? throw Problem.Malformed("The payload is null.").ToException();
        }
        catch (JsonException e)
        {
            throw Problem.Malformed("The payload is not the expected JSON: " + e.Message).ToException();
        }
    }
}

/// <summary>The required signer of a request (RFC 8555 section 6.2).</summary>
internal enum RequestSigner
{
    /// <summary>None: a plain GET.</summary>
    None,

    /// <summary>The key in <c>jwk</c>.</summary>
    Key,

    /// <summary>The account in <c>kid</c>.</summary>
    Account,

    /// <summary>A key or an account, for revocation.</summary>
    KeyOrAccount,
}
