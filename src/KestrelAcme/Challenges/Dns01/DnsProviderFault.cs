namespace KestrelAcme.Challenges.Dns01;

/// <summary>Why a DNS provider did not make a change.</summary>
public enum DnsProviderFault
{
    /// <summary>It answered that it will not: a rule of its own, a malformed request. Tried again with a growing pause.</summary>
    Refused,

    /// <summary>It does not accept the credentials, or they do not allow the change. A person has to act.</summary>
    Unauthorized,

    /// <summary>It does not have the zone, or the account cannot see it. A person has to act.</summary>
    ZoneNotFound,

    /// <summary>Something has to be set up by a person first, such as a CNAME.</summary>
    SetUpNeeded,

    /// <summary>It asks to come back later.</summary>
    RateLimited,

    /// <summary>It could not be reached, or is in trouble.</summary>
    Unavailable,
}
