using KestrelAcme.Architecture.Tests.Samples.Inner;

namespace KestrelAcme.Architecture.Tests.Samples.Outer;

/// <summary>A jump table is the one instruction whose length varies.</summary>
internal static class OnlyAfterSwitch
{
    public static int Read(int value)
    {
        switch (value)
        {
            case 0: return 7;
            case 1: return 3;
            case 2: return 9;
            case 3: return 1;
            case 4: return 5;
            default: return Target.Count;
        }
    }
}
