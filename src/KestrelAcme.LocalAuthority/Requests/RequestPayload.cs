namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>What a request carried.</summary>
public enum RequestPayload
{
    /// <summary>No JWS: a GET or HEAD, or a request that ended before its JWS was read.</summary>
    None,

    /// <summary>A JWS with an empty payload: POST-as-GET (RFC 8555 section 6.3).</summary>
    PostAsGet,

    /// <summary>A JWS with the payload <c>{}</c>: a response to a challenge.</summary>
    EmptyObject,

    /// <summary>A JWS with any other payload.</summary>
    Content,
}
