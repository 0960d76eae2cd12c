namespace KestrelAcme.Configuration;

/// <summary>Whose word is taken for a record being visible.</summary>
public enum DnsPropagationCheck
{
    /// <summary>Every name server of the zone is asked directly, at all its addresses.</summary>
    AuthoritativeServers,

    /// <summary>The resolvers are asked (<see cref="AcmeHttpsOptions.DnsResolvers"/>, or the system's): for networks that do not reach the zone's own servers.</summary>
    Resolvers,
}
