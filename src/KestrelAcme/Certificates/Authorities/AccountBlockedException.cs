using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The authority refuses the account, or the profile: no name is to blame, and none gets anywhere until that is put right.</summary>
internal sealed class AccountBlockedException(AccountBlock block, Exception? cause = null) : InvalidOperationException(block.Message, cause)
{
    public AccountBlock Block => block;
}
