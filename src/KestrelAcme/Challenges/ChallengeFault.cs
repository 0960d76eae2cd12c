namespace KestrelAcme.Challenges;

/// <summary>What kept a challenge from being answered, and so who mends it and when it is tried again.</summary>
public enum ChallengeFault
{
    /// <summary>The name: its records, its delegation, its servers. Tried again with a growing pause.</summary>
    Name,

    /// <summary>A person has to change something: a setting, a credential, a record. Tried again once a day.</summary>
    Operator,

    /// <summary>Something here or at a service of ours, such as a DNS provider's API that is down. Tried again soon.</summary>
    Local,
}
